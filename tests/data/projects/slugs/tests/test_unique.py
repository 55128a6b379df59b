from slugs import Registry


def test_each_slug_is_handed_out_once():
    registry = Registry()
    assert registry.claim("a") == "a"
    assert registry.claim("a") == "a-2"
    assert registry.claim("b") == "b"
