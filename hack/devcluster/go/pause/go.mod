module tts-operator.io/devcluster/pause

go 1.24
