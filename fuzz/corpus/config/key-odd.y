y[a]: b
