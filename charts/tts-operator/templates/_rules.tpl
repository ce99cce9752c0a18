{{- /* What the operator may do in a namespace it serves: generated from its children (make generate); the table in docs/install.md says why. */ -}}
{{- define "tts-operator.rules" -}}
{{ .Files.Get "files/rules/namespace.yaml" | trim }}
{{- end -}}

{{- /* What the autoscaler may read: the metrics of all scaling targets. */ -}}
{{- define "tts-operator.metricsRules" -}}
{{ .Files.Get "files/rules/custom-metrics.yaml" | trim }}
{{- end -}}
