"""What `rfsim.advise` computes and answers: the limit beside samples of the same data, question by question."""
