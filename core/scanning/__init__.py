"""Between a camera and the books: pictures, the codes in them, what a code means, one scan at a time."""
