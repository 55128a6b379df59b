class Registry:
    """Hands out each slug once."""

    def __init__(self):
        self.taken = set()

    def claim(self, slug):
        """The slug, or the slug with a number behind it."""
        if slug not in self.taken:
            self.taken.add(slug)
            return slug
        number = 2
        candidate = f"{slug}-{number}"
        while candidate in self.taken:
            number += 1
        self.taken.add(candidate)
        return candidate
