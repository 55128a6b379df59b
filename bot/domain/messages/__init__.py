"""Every sentence that the bot says on the forge, each as a pure function.

status        the one living comment of an issue, from the first word to the last
answers       what commands and refusals are answered with: one comment, edited in place
pull_request  title, body and commit messages
proof         `test_output` and `qa_output`, the check run, the table of evidence
"""
