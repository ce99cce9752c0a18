{{- /* What the operator may do in a namespace it serves; docs/install.md says why, line by line. */ -}}
{{- define "tts-operator.rules" -}}
{{- $children := list "get" "list" "watch" "create" "patch" "delete" | toJson -}}
- apiGroups: [tts-operator.io]
  resources: [ttsservices]
  verbs: [get, list, watch]
- apiGroups: [tts-operator.io]
  resources: [ttsservices/status]
  verbs: [patch]
# For clusters that ask this of whoever makes an object that blocks its owner's deletion (OpenShift does).
- apiGroups: [tts-operator.io]
  resources: [ttsservices/finalizers]
  verbs: [update]
- apiGroups: [apps]
  resources: [deployments]
  verbs: {{ $children }}
- apiGroups: [autoscaling]
  resources: [horizontalpodautoscalers]
  verbs: {{ $children }}
- apiGroups: [batch]
  resources: [jobs]
  verbs: {{ $children }}
- apiGroups: [""]
  resources: [configmaps, persistentvolumeclaims, serviceaccounts, services]
  verbs: {{ $children }}
- apiGroups: [""]
  resources: [pods]
  verbs: [list, watch]
- apiGroups: [""]
  resources: [events]
  verbs: [get, list, create, patch]
{{- end -}}

{{- /* What the autoscaler may read: the metrics of all scaling targets. */ -}}
{{- define "tts-operator.metricsRules" -}}
{{ .Files.Get "files/rules/custom-metrics.yaml" | trim }}
{{- end -}}
