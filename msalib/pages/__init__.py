"""Answer how readers see a result: tables, figures, ledger, and the book's build.

Pages show records and verdicts; they compute no result of their own.
"""
