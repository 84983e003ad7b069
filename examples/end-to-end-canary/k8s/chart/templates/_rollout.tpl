{{/* The release of one of the three services. */}}
{{- define "laneway-demo.rollout" -}}
{{- $root := .root -}}
{{- $one := index $root.Values.services .key -}}
apiVersion: rollouts.kruise.io/v1beta1
kind: Rollout
metadata:
  name: rollout-{{ .key }}
  namespace: {{ $root.Release.Namespace }}
  annotations:
    # The controller reads the annotation. The field trafficRoutingRef says the same and is not read.
    rollouts.kruise.io/trafficrouting: {{ include "laneway-demo.trafficRouting" $root }}
spec:
  workloadRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ $one.name }}
  strategy:
    canary:
      # Without it the lane's pods are pods of the Deployment itself, and get no labels of their own.
      enableExtraWorkloadForCanary: true
      patchPodTemplateMetadata:
        labels:
          alicloud.service.tag: {{ $root.Values.tag }}
          opensergo.io/canary-{{ $root.Values.tag }}: {{ $root.Values.tag }}
      steps:
        - replicas: 1
          pause: {}
        {{- if eq $root.Values.batches "three" }}
        - replicas: 50%
          pause: {}
        # Never pauses: with the last gray pod ready, base is updated.
        - replicas: 100%
        {{- end }}
{{- end }}

{{- define "laneway-demo.trafficRouting" -}}
{{ if eq .Values.profile "mse-ingress" }}mse-traffic{{ else }}lane-traffic{{ end }}
{{- end }}

{{/* The Service behind the entrance: the Laneway gateway where the entrance itself knows no lanes. */}}
{{- define "laneway-demo.entrance" -}}
{{ if eq .Values.profile "gateway-api" }}laneway-gateway{{ else }}{{ .Values.services.a.name }}{{ end }}
{{- end }}
