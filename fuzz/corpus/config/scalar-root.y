yjust text
