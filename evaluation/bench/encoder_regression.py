"""Rasa's logistic regression over the assistant's own sentence embeddings, for comparison."""

from typing import List, Type

from rasa.engine.graph import GraphComponent
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.nlu.classifiers.logistic_regression_classifier import LogisticRegressionClassifier


@DefaultV1Recipe.register(DefaultV1Recipe.ComponentType.INTENT_CLASSIFIER, is_trainable=True)
class EncoderRegression(LogisticRegressionClassifier):
    """Rasa's classifier, unchanged but for what it asks of the pipeline.

    It asks for a subclass of Rasa's Featurizer; our encoder gives the same features without one.
    """

    @classmethod
    def required_components(cls) -> List[Type[GraphComponent]]:
        """Nothing: the pipeline is written in evaluation/pipelines.py and always has features."""
        return []
