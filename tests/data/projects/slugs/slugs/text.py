import re
import unicodedata


def slugify(text, max_length=0, separator="-", stopwords=()):
    """A lower-case name of letters, digits and separators."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    words = [word for word in re.split(r"[^a-zA-Z0-9]+", plain) if word]
    if stopwords:
        words = [word for word in words if word not in stopwords]
    slug = separator.join(words).lower()
    if max_length:
        slug = slug[:max_length]
    return slug


def title(slug, separator="-"):
    """The slug as a heading."""
    return " ".join(word.capitalize() for word in slug.split(separator))
