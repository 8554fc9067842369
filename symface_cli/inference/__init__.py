"""From a photo and the network to a located, registered face."""
