"""What stayed behind, out to the people who can mend it and back: workbooks, and corrections made of them."""
