"""Answer what a file of others' data holds: one module per source format, each giving a
``Corpus``.

``formats`` recognises the format; ``store`` keeps what a user has added.
"""
