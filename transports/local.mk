# files of transports
