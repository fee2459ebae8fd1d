"""Answer how readers see a result: tables, figures and the ledger.

Pages show records and verdicts; they compute no result of their own.
"""
