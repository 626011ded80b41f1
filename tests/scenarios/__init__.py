"""Stories through real sockets: official clients, a raw client, a server that gets killed."""
