print("the consumer's bench-fisher")
