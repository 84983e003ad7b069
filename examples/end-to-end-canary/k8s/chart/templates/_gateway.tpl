{{- define "laneway-demo.gatewayConfig" -}}
listen:
  host: 0.0.0.0
  port: {{ .Values.lanewayGateway.port }}
{{- end }}

{{/* Writes the TrafficRouting into a file as long as it is in progress, and no rules else. */}}
{{- define "laneway-demo.rulesContainer" -}}
{{- $values := .root.Values -}}
image: {{ $values.image.registry }}/laneway-gateway:{{ $values.lanewayGateway.tag }}
imagePullPolicy: {{ $values.image.pullPolicy }}
command: [node, follow-traffic-routing.js]
args: [{{ include "laneway-demo.trafficRouting" .root }}, /rules/traffic-routing.yaml{{ if .once }}, --once{{ end }}]
env:
  - name: NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  - name: NODE_EXTRA_CA_CERTS
    value: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt
resources:
  requests:
    cpu: 10m
    memory: 64Mi
  limits:
    memory: 128Mi
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
volumeMounts:
  - name: rules
    mountPath: /rules
{{- end }}
