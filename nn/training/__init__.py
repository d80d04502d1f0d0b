"""What `nn.fit` is made of: what it is asked, its steps and epochs, and their files."""
