"""Pictures that people upload: items' photographs and the logo of receipts."""
