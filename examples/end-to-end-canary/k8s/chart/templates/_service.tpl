{{/* One of the three services: a Deployment and its Service. Called with the root and the key of the service. */}}
{{- define "laneway-demo.service" -}}
{{- $root := .root -}}
{{- $one := index $root.Values.services .key -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ $one.name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app: {{ $one.name }}
    # With it the very first change of the image is held back for the Rollout.
    rollouts.kruise.io/workload-type: deployment
spec:
  replicas: {{ $one.replicas }}
  minReadySeconds: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 1
      maxUnavailable: 0
  # No lane in here: the pods of a lane are made with the same selector.
  selector:
    matchLabels:
      app: {{ $one.name }}
  template:
    metadata:
      labels:
        app: {{ $one.name }}
    spec:
      serviceAccountName: laneway-demo
      automountServiceAccountToken: {{ eq $root.Values.discovery "kubernetes" }}
      # 5 s until callers of the Service have left, 3 s until callers through Nacos have, up to 30 s for what is under way.
      terminationGracePeriodSeconds: 45
      securityContext:
        runAsNonRoot: true
        runAsUser: 1000
        seccompProfile:
          type: RuntimeDefault
      containers:
        - name: {{ $one.name }}
          image: {{ $root.Values.image.registry }}/{{ $one.name }}:{{ $one.tag }}
          imagePullPolicy: {{ $root.Values.image.pullPolicy }}
          ports:
            - name: http
              containerPort: {{ $one.port }}
            - name: health
              containerPort: 9090
          env:
            - name: HOST
              value: 0.0.0.0
            - name: PORT
              value: {{ $one.port | quote }}
            - name: HEALTH_PORT
              value: "9090"
            {{- if eq $root.Values.discovery "nacos" }}
            - name: NACOS
              value: nacos-server:8848
            {{- end }}
            - name: LEAVE_DELAY_MS
              value: "3000"
            - name: POD_IP
              valueFrom:
                fieldRef:
                  fieldPath: status.podIP
            # Its name in the path of a traced request; by itself a pod has the name of the pod.
            - name: LANEWAY_SERVICE
              value: {{ $one.service }}
            # Empty for base. The Rollout labels the pods of the lane.
            - name: LANEWAY_TAG
              valueFrom:
                fieldRef:
                  fieldPath: metadata.labels['alicloud.service.tag']
            {{- if eq .key "b" }}
            - name: MYSQL_URL
              valueFrom:
                secretKeyRef:
                  name: {{ $root.Values.mysql.existingSecret | default "demo-mysql" }}
                  key: MYSQL_URL
            {{- end }}
          startupProbe:
            httpGet:
              path: /readyz
              port: health
            periodSeconds: 1
            failureThreshold: 60
          readinessProbe:
            httpGet:
              path: /readyz
              port: health
            periodSeconds: 3
          livenessProbe:
            httpGet:
              path: /livez
              port: health
            periodSeconds: 10
            failureThreshold: 3
          lifecycle:
            preStop:
              exec:
                command: ["sleep", "5"]
          resources:
            requests:
              cpu: 100m
              memory: 96Mi
            limits:
              memory: 256Mi
          securityContext:
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities:
              drop: [ALL]
---
# Selects the pods of the lane, too: whoever calls it by its cluster IP meets both. Callers with Laneway do not use it.
apiVersion: v1
kind: Service
metadata:
  name: {{ $one.name }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app: {{ $one.name }}
spec:
  selector:
    app: {{ $one.name }}
  ports:
    - name: http
      port: {{ $one.port }}
      targetPort: http
{{- if eq $root.Values.discovery "kubernetes" }}
---
# The name by which the other services call it, as the kubernetes source of Laneway finds it.
apiVersion: v1
kind: Service
metadata:
  name: {{ lower $one.service }}
  namespace: {{ $root.Release.Namespace }}
  labels:
    app: {{ $one.name }}
spec:
  selector:
    app: {{ $one.name }}
  ports:
    - name: http
      port: 80
      targetPort: http
{{- end }}
{{- end }}
