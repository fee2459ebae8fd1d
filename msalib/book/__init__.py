"""Answer how the book is built: notebooks are run and checked, and its pages rendered."""
