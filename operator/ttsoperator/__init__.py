"""The operator: TTSServices in, their children and an honest status out."""
