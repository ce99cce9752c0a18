{{- define "tts-operator.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- /* At most 50 characters, so that names with the suffixes below have at most 63. */ -}}
{{- define "tts-operator.fullname" -}}
{{- $name := include "tts-operator.name" . -}}
{{- $full := ternary .Release.Name (printf "%s-%s" .Release.Name $name) (contains $name .Release.Name) -}}
{{- default $full .Values.fullnameOverride | trunc 50 | trimSuffix "-" -}}
{{- end -}}

{{- define "tts-operator.selectorLabels" -}}
app.kubernetes.io/name: {{ include "tts-operator.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end -}}

{{- define "tts-operator.labels" -}}
{{ include "tts-operator.selectorLabels" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/component: operator
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" | trunc 63 | trimSuffix "-" }}
{{- end -}}

{{- define "tts-operator.serviceAccountName" -}}
{{- default (ternary (include "tts-operator.fullname" .) "default" .Values.serviceAccount.create) .Values.serviceAccount.name -}}
{{- end -}}

{{- define "tts-operator.image" -}}
{{- printf "%s%s%s" .repository (ternary "@" ":" (hasPrefix "sha256:" .tag)) .tag -}}
{{- end -}}

{{- define "tts-operator.certificateSecret" -}}
{{- default (printf "%s-tls" (include "tts-operator.fullname" .)) .Values.customMetrics.certificate.existingSecret -}}
{{- end -}}

{{- /* "true" when this release registers custom.metrics.k8s.io: only one server can serve a group, and replacing another one would cut its autoscalers from their metrics. */ -}}
{{- define "tts-operator.registersMetrics" -}}
{{- $mode := .Values.customMetrics.apiService -}}
{{- $foreign := false -}}
{{- if eq $mode "Auto" -}}
  {{- range list "v1beta1" "v1beta2" -}}
    {{- $found := lookup "apiregistration.k8s.io/v1" "APIService" "" (printf "%s.custom.metrics.k8s.io" .) -}}
    {{- $owner := dig "metadata" "annotations" "meta.helm.sh/release-name" "" ($found | default dict) -}}
    {{- $home := dig "metadata" "annotations" "meta.helm.sh/release-namespace" "" ($found | default dict) -}}
    {{- if and $found (not (and (eq $owner $.Release.Name) (eq $home $.Release.Namespace))) -}}
      {{- $foreign = true -}}
    {{- end -}}
  {{- end -}}
{{- end -}}
{{- if and .Values.customMetrics.enabled (ne $mode "Never") (not $foreign) -}}true{{- end -}}
{{- end -}}
