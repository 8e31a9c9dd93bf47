"""What happens between a camera and the books: pictures, codes in them, what they mean, one scan at a time."""
