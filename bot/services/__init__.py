"""One use case each; they speak to the world through the ports of the domain."""
