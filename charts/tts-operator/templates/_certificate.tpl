{{- /*
The certificate of the metrics API as JSON {data, renewAfter}: that of an existing Secret; else the one in the cluster until its last
year; else a new one. A new one is random, and several files need the same one, so the first call of a render stores it in .Values for the others.
*/ -}}
{{- define "tts-operator.certificate" -}}
{{- $place := .Values.customMetrics.certificate -}}
{{- if not (hasKey $place "made") -}}
  {{- $kept := lookup "v1" "Secret" .Release.Namespace (include "tts-operator.certificateSecret" .) | default dict -}}
  {{- $data := get $kept "data" | default dict -}}
  {{- $renewAfter := dig "metadata" "annotations" "tts-operator.io/renew-after" "0" $kept -}}
  {{- $complete := and (get $data "tls.crt") (get $data "tls.key") (get $data "ca.crt") -}}
  {{- if or $place.existingSecret (and $complete (gt (int64 $renewAfter) (now | unixEpoch | int64))) -}}
    {{- $_ := set $place "made" (dict "data" $data "renewAfter" $renewAfter) -}}
  {{- else -}}
    {{- $service := printf "%s.%s.svc" (include "tts-operator.fullname" .) .Release.Namespace -}}
    {{- $ca := genCA (printf "%s-ca" (include "tts-operator.fullname" .)) 3650 -}}
    {{- $leaf := genSignedCert (include "tts-operator.fullname" .) nil (list $service (printf "%s.cluster.local" $service)) 3650 $ca -}}
    {{- $new := dict "tls.crt" (b64enc $leaf.Cert) "tls.key" (b64enc $leaf.Key) "ca.crt" (b64enc $ca.Cert) -}}
    {{- $nineYears := now | dateModify "78840h" | unixEpoch -}}
    {{- $_ := set $place "made" (dict "data" $new "renewAfter" $nineYears) -}}
  {{- end -}}
{{- end -}}
{{- toJson $place.made -}}
{{- end -}}
