{{- /* The operator's rights in a namespace that it serves: generated from its children (make generate); the table in docs/install.md has the reasons. */ -}}
{{- define "tts-operator.rules" -}}
{{ .Files.Get "files/rules/namespace.yaml" | trim }}
{{- end -}}

{{- /* The autoscaler's rights: read the metrics of all scaling targets. */ -}}
{{- define "tts-operator.metricsRules" -}}
{{ .Files.Get "files/rules/custom-metrics.yaml" | trim }}
{{- end -}}
