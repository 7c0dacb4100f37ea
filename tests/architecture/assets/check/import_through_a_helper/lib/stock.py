import lib.deep
