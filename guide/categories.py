"""What the categories of crisis replies and check-ins are called where people read them."""

CRISIS_CATEGORIES = {
    "suicide": "Thoughts of suicide",
    "means": "Having or asking for means",
    "self_harm": "Self-harm",
    "medical_emergency": "Medical emergency",
    "harm_to_others": "Harm to others",
    "abuse": "Abuse or danger at home",
    "someone_else": "Somebody else at risk",
    "after_session": "Distress after a session",
}

CHECK_IN_CATEGORIES = {
    "distress": "Distress",
    "past": "A crisis in the past",
    "education": "A question about suicide",
}
