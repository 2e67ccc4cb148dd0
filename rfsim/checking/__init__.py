"""What a user gave, read strictly: texts, numbers of Python, and notes on how input was taken."""
