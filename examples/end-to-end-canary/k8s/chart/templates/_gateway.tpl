{{- define "laneway-demo.gatewayConfig" -}}
version: 1
listeners:
  - port: {{ .Values.lanewayGateway.port }}
admin:
  host: 0.0.0.0
  port: 9090
{{- if eq .Values.profile "laneway-gateway" }}
# Nobody's tags are believed.
trust: edge
rules:
  file: /rules/traffic-routing.yaml
  # For a TrafficRouting with a weight: whose share a caller is.
  weightKey:
    {{- toYaml .Values.lanewayGateway.weightKey | nindent 4 }}
{{- else }}
# The Gateway in front has removed what clients sent, and has a private address.
trust: private
proxies: 1
{{- end }}
discovery:
  services: [{{ .Values.services.a.service }}]
  {{- if eq .Values.discovery "nacos" }}
  nacos:
    servers: nacos-server:8848
  {{- else }}
  kubernetes: true
  {{- end }}
routes:
  - name: a
    service: {{ .Values.services.a.service }}
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
