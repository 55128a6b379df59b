def split(cents, people):
    """As many shares as people."""
    if people < 1:
        raise ValueError("nobody to share with")
    return [cents // people] * people


def total(shares):
    """What the shares add up to."""
    return sum(shares)
