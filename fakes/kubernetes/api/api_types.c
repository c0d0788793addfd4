/* The fields of the built-in kinds, and of all that they hold. Source: the OpenAPI description of
 * Kubernetes 1.32 (k8s.io/api, v1 and v2). `status` is the server's own and is not looked into. */
#include "fakes/kubernetes/api/api_types.h"

#include <string.h>

struct type {
    const char *name, *fields;
};

#define OBJECT "apiVersion:string kind:string metadata:ObjectMeta "

static const struct type types[] = {
    /* ---- kinds ---- */
    {"ConfigMap", OBJECT "data:{}string binaryData:{}bytes immutable:bool"},
    {"Secret", OBJECT "data:{}bytes stringData:{}string type:=SecretType immutable:bool"},
    {"Namespace", OBJECT "spec:NamespaceSpec status:any"},
    {"NamespaceSpec", "finalizers:[]string"},
    {"Node", OBJECT "spec:NodeSpec status:any"},
    {"NodeSpec", "podCIDR:string podCIDRs:[]string providerID:string unschedulable:bool "
                 "taints:[]Taint configSource:any externalID:string"},
    {"Taint", "key:string value:string effect:=TaintEffect timeAdded:time"},
    {"Pod", OBJECT "spec:PodSpec status:any"},
    {"Deployment", OBJECT "spec:DeploymentSpec status:any"},
    {"ReplicaSet", OBJECT "spec:ReplicaSetSpec status:any"},
    {"StatefulSet", OBJECT "spec:StatefulSetSpec status:any"},
    {"DaemonSet", OBJECT "spec:DaemonSetSpec status:any"},
    {"ReplicationController", OBJECT "spec:ReplicationControllerSpec status:any"},
    {"ControllerRevision", OBJECT "data:any revision:int64"},
    {"Job", OBJECT "spec:JobSpec status:any"},
    {"CronJob", OBJECT "spec:CronJobSpec status:any"},
    {"Service", OBJECT "spec:ServiceSpec status:any"},
    {"Endpoints", OBJECT "subsets:any"},
    {"EndpointSlice", OBJECT "addressType:=AddressType endpoints:any ports:any"},
    {"Ingress", OBJECT "spec:IngressSpec status:any"},
    {"NetworkPolicy", OBJECT "spec:any status:any"},
    {"PersistentVolumeClaim", OBJECT "spec:PersistentVolumeClaimSpec status:any"},
    {"PersistentVolume", OBJECT "spec:any status:any"},
    {"StorageClass",
     OBJECT "provisioner:string parameters:{}string reclaimPolicy:=PersistentVolumeReclaimPolicy "
            "mountOptions:[]string allowVolumeExpansion:bool volumeBindingMode:=VolumeBindingMode "
            "allowedTopologies:any"},
    {"HorizontalPodAutoscaler", OBJECT "spec:HorizontalPodAutoscalerSpec status:any"},
    {"PodDisruptionBudget", OBJECT "spec:PodDisruptionBudgetSpec status:any"},
    {"ServiceAccount", OBJECT "secrets:any imagePullSecrets:[]LocalObjectReference "
                              "automountServiceAccountToken:bool"},
    {"Role", OBJECT "rules:[]PolicyRule"},
    {"ClusterRole", OBJECT "rules:[]PolicyRule aggregationRule:any"},
    {"RoleBinding", OBJECT "subjects:[]Subject roleRef:RoleRef"},
    {"ClusterRoleBinding", OBJECT "subjects:[]Subject roleRef:RoleRef"},
    {"PolicyRule", "verbs:[]string apiGroups:[]string resources:[]string resourceNames:[]string "
                   "nonResourceURLs:[]string"},
    {"Subject", "kind:string apiGroup:string name:string namespace:string"},
    {"RoleRef", "apiGroup:string kind:string name:string"},
    {"PriorityClass", OBJECT "value:int32 globalDefault:bool description:string "
                             "preemptionPolicy:=PreemptionPolicy"},
    {"LimitRange", OBJECT "spec:any"},
    {"ResourceQuota", OBJECT "spec:any status:any"},
    {"CustomResourceDefinition", OBJECT "spec:CustomResourceDefinitionSpec status:any"},
    {"Event",
     OBJECT "involvedObject:any reason:string message:string source:any firstTimestamp:time "
            "lastTimestamp:time count:int32 type:string eventTime:time series:any action:string "
            "related:any reportingComponent:string reportingInstance:string"},

    /* ---- metadata and selectors ---- */
    {"ObjectMeta",
     "name:string generateName:string namespace:string selfLink:string uid:=UID "
     "resourceVersion:string generation:int64 creationTimestamp:time deletionTimestamp:time "
     "deletionGracePeriodSeconds:int64 labels:{}string annotations:{}string "
     "ownerReferences:[]OwnerReference finalizers:[]string managedFields:any"},
    {"OwnerReference", "apiVersion:string kind:string name:string uid:=UID controller:bool "
                       "blockOwnerDeletion:bool"},
    {"LabelSelector", "matchLabels:{}string matchExpressions:[]LabelSelectorRequirement"},
    {"LabelSelectorRequirement", "key:string operator:=LabelSelectorOperator values:[]string"},
    {"LocalObjectReference", "name:string"},

    /* ---- workloads ---- */
    {"DeploymentSpec", "replicas:int32 selector:LabelSelector template:PodTemplateSpec "
                       "strategy:DeploymentStrategy minReadySeconds:int32 "
                       "revisionHistoryLimit:int32 paused:bool progressDeadlineSeconds:int32"},
    {"DeploymentStrategy", "type:=DeploymentStrategyType rollingUpdate:RollingUpdateDeployment"},
    {"RollingUpdateDeployment", "maxUnavailable:intstr maxSurge:intstr"},
    {"ReplicaSetSpec", "replicas:int32 minReadySeconds:int32 selector:LabelSelector "
                       "template:PodTemplateSpec"},
    {"ReplicationControllerSpec",
     "replicas:int32 minReadySeconds:int32 selector:{}string template:PodTemplateSpec"},
    {"StatefulSetSpec",
     "replicas:int32 selector:LabelSelector template:PodTemplateSpec "
     "volumeClaimTemplates:[]PersistentVolumeClaim serviceName:string "
     "podManagementPolicy:=PodManagementPolicyType updateStrategy:StatefulSetUpdateStrategy "
     "revisionHistoryLimit:int32 minReadySeconds:int32 "
     "persistentVolumeClaimRetentionPolicy:StatefulSetPersistentVolumeClaimRetentionPolicy "
     "ordinals:StatefulSetOrdinals"},
    {"StatefulSetUpdateStrategy",
     "type:=StatefulSetUpdateStrategyType rollingUpdate:RollingUpdateStatefulSetStrategy"},
    {"RollingUpdateStatefulSetStrategy", "partition:int32 maxUnavailable:intstr"},
    {"StatefulSetPersistentVolumeClaimRetentionPolicy",
     "whenDeleted:=PersistentVolumeClaimRetentionPolicyType "
     "whenScaled:=PersistentVolumeClaimRetentionPolicyType"},
    {"StatefulSetOrdinals", "start:int32"},
    {"DaemonSetSpec",
     "selector:LabelSelector template:PodTemplateSpec updateStrategy:DaemonSetUpdateStrategy "
     "minReadySeconds:int32 revisionHistoryLimit:int32"},
    {"DaemonSetUpdateStrategy",
     "type:=DaemonSetUpdateStrategyType rollingUpdate:RollingUpdateDaemonSet"},
    {"RollingUpdateDaemonSet", "maxUnavailable:intstr maxSurge:intstr"},
    {"JobSpec",
     "parallelism:int32 completions:int32 activeDeadlineSeconds:int64 podFailurePolicy:any "
     "successPolicy:any backoffLimit:int32 backoffLimitPerIndex:int32 maxFailedIndexes:int32 "
     "selector:LabelSelector manualSelector:bool template:PodTemplateSpec "
     "ttlSecondsAfterFinished:int32 completionMode:=CompletionMode suspend:bool "
     "podReplacementPolicy:=PodReplacementPolicy managedBy:string"},
    {"CronJobSpec", "schedule:string timeZone:string startingDeadlineSeconds:int64 "
                    "concurrencyPolicy:=ConcurrencyPolicy suspend:bool "
                    "jobTemplate:JobTemplateSpec successfulJobsHistoryLimit:int32 "
                    "failedJobsHistoryLimit:int32"},
    {"JobTemplateSpec", "metadata:ObjectMeta spec:JobSpec"},
    {"PodTemplateSpec", "metadata:ObjectMeta spec:PodSpec"},

    /* ---- pods ---- */
    {"PodSpec",
     "volumes:[]Volume initContainers:[]Container containers:[]Container "
     "ephemeralContainers:any restartPolicy:=RestartPolicy terminationGracePeriodSeconds:int64 "
     "activeDeadlineSeconds:int64 dnsPolicy:=DNSPolicy nodeSelector:{}string "
     "serviceAccountName:string serviceAccount:string automountServiceAccountToken:bool "
     "nodeName:string hostNetwork:bool hostPID:bool hostIPC:bool shareProcessNamespace:bool "
     "securityContext:PodSecurityContext imagePullSecrets:[]LocalObjectReference "
     "hostname:string subdomain:string affinity:Affinity schedulerName:string "
     "tolerations:[]Toleration hostAliases:[]HostAlias priorityClassName:string priority:int32 "
     "dnsConfig:any readinessGates:any runtimeClassName:string enableServiceLinks:bool "
     "preemptionPolicy:=PreemptionPolicy overhead:{}quantity "
     "topologySpreadConstraints:[]TopologySpreadConstraint setHostnameAsFQDN:bool os:any "
     "hostUsers:bool schedulingGates:any resourceClaims:any resources:ResourceRequirements"},
    {"Container",
     "name:string image:string command:[]string args:[]string workingDir:string "
     "ports:[]ContainerPort envFrom:[]EnvFromSource env:[]EnvVar resources:ResourceRequirements "
     "resizePolicy:any restartPolicy:=ContainerRestartPolicy volumeMounts:[]VolumeMount "
     "volumeDevices:[]VolumeDevice livenessProbe:Probe readinessProbe:Probe startupProbe:Probe "
     "lifecycle:Lifecycle terminationMessagePath:string "
     "terminationMessagePolicy:=TerminationMessagePolicy imagePullPolicy:=PullPolicy "
     "securityContext:SecurityContext stdin:bool stdinOnce:bool tty:bool"},
    {"ContainerPort",
     "name:string hostPort:int32 containerPort:int32 protocol:=Protocol hostIP:string"},
    {"EnvVar", "name:string value:string valueFrom:EnvVarSource"},
    {"EnvVarSource", "fieldRef:ObjectFieldSelector resourceFieldRef:ResourceFieldSelector "
                     "configMapKeyRef:ConfigMapKeySelector secretKeyRef:SecretKeySelector"},
    {"ObjectFieldSelector", "apiVersion:string fieldPath:string"},
    {"ResourceFieldSelector", "containerName:string resource:string divisor:quantity"},
    {"ConfigMapKeySelector", "name:string key:string optional:bool"},
    {"SecretKeySelector", "name:string key:string optional:bool"},
    {"EnvFromSource", "prefix:string configMapRef:ConfigMapEnvSource secretRef:SecretEnvSource"},
    {"ConfigMapEnvSource", "name:string optional:bool"},
    {"SecretEnvSource", "name:string optional:bool"},
    {"ResourceRequirements", "limits:{}quantity requests:{}quantity claims:any"},
    {"VolumeMount", "name:string readOnly:bool recursiveReadOnly:string mountPath:string "
                    "subPath:string mountPropagation:string subPathExpr:string"},
    {"VolumeDevice", "name:string devicePath:string"},
    {"Probe", "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction grpc:GRPCAction "
              "initialDelaySeconds:int32 timeoutSeconds:int32 periodSeconds:int32 "
              "successThreshold:int32 failureThreshold:int32 "
              "terminationGracePeriodSeconds:int64"},
    {"ExecAction", "command:[]string"},
    {"HTTPGetAction", "path:string port:intstr host:string scheme:=URIScheme "
                      "httpHeaders:[]HTTPHeader"},
    {"HTTPHeader", "name:string value:string"},
    {"TCPSocketAction", "port:intstr host:string"},
    {"GRPCAction", "port:int32 service:string"},
    {"SleepAction", "seconds:int64"},
    {"Lifecycle", "postStart:LifecycleHandler preStop:LifecycleHandler"},
    {"LifecycleHandler",
     "exec:ExecAction httpGet:HTTPGetAction tcpSocket:TCPSocketAction sleep:SleepAction"},
    {"SecurityContext",
     "capabilities:Capabilities privileged:bool seLinuxOptions:any windowsOptions:any "
     "runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool readOnlyRootFilesystem:bool "
     "allowPrivilegeEscalation:bool procMount:string seccompProfile:any appArmorProfile:any"},
    {"Capabilities", "add:[]string drop:[]string"},
    {"PodSecurityContext",
     "seLinuxOptions:any windowsOptions:any runAsUser:int64 runAsGroup:int64 runAsNonRoot:bool "
     "supplementalGroups:[]int64 supplementalGroupsPolicy:string fsGroup:int64 sysctls:any "
     "fsGroupChangePolicy:string seccompProfile:any appArmorProfile:any "
     "seLinuxChangePolicy:string"},
    {"Toleration", "key:string operator:=TolerationOperator value:string effect:=TaintEffect "
                   "tolerationSeconds:int64"},
    {"HostAlias", "ip:string hostnames:[]string"},
    {"TopologySpreadConstraint",
     "maxSkew:int32 topologyKey:string whenUnsatisfiable:=UnsatisfiableConstraintAction "
     "labelSelector:LabelSelector minDomains:int32 nodeAffinityPolicy:string "
     "nodeTaintsPolicy:string matchLabelKeys:[]string"},
    {"Affinity", "nodeAffinity:NodeAffinity podAffinity:PodAffinity "
                 "podAntiAffinity:PodAntiAffinity"},
    {"NodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution:NodeSelector "
                     "preferredDuringSchedulingIgnoredDuringExecution:[]PreferredSchedulingTerm"},
    {"NodeSelector", "nodeSelectorTerms:[]NodeSelectorTerm"},
    {"NodeSelectorTerm", "matchExpressions:[]NodeSelectorRequirement "
                         "matchFields:[]NodeSelectorRequirement"},
    {"NodeSelectorRequirement", "key:string operator:=NodeSelectorOperator values:[]string"},
    {"PreferredSchedulingTerm", "weight:int32 preference:NodeSelectorTerm"},
    {"PodAffinity", "requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm "
                    "preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm"},
    {"PodAntiAffinity",
     "requiredDuringSchedulingIgnoredDuringExecution:[]PodAffinityTerm "
     "preferredDuringSchedulingIgnoredDuringExecution:[]WeightedPodAffinityTerm"},
    {"WeightedPodAffinityTerm", "weight:int32 podAffinityTerm:PodAffinityTerm"},
    {"PodAffinityTerm", "labelSelector:LabelSelector namespaces:[]string topologyKey:string "
                        "namespaceSelector:LabelSelector matchLabelKeys:[]string "
                        "mismatchLabelKeys:[]string"},

    /* ---- volumes ---- */
    {"Volume",
     "name:string hostPath:HostPathVolumeSource emptyDir:EmptyDirVolumeSource "
     "secret:SecretVolumeSource configMap:ConfigMapVolumeSource "
     "persistentVolumeClaim:PersistentVolumeClaimVolumeSource projected:any downwardAPI:any "
     "nfs:any csi:any ephemeral:any image:any awsElasticBlockStore:any azureDisk:any "
     "azureFile:any cephfs:any cinder:any fc:any flexVolume:any flocker:any "
     "gcePersistentDisk:any gitRepo:any glusterfs:any iscsi:any photonPersistentDisk:any "
     "portworxVolume:any quobyte:any rbd:any scaleIO:any storageos:any vsphereVolume:any"},
    {"HostPathVolumeSource", "path:string type:=HostPathType"},
    {"EmptyDirVolumeSource", "medium:=StorageMedium sizeLimit:quantity"},
    {"SecretVolumeSource", "secretName:string items:[]KeyToPath defaultMode:int32 optional:bool"},
    {"ConfigMapVolumeSource", "name:string items:[]KeyToPath defaultMode:int32 optional:bool"},
    {"KeyToPath", "key:string path:string mode:int32"},
    {"PersistentVolumeClaimVolumeSource", "claimName:string readOnly:bool"},
    {"PersistentVolumeClaimSpec",
     "accessModes:[]string selector:LabelSelector resources:VolumeResourceRequirements "
     "volumeName:string storageClassName:string volumeMode:=PersistentVolumeMode dataSource:any "
     "dataSourceRef:any volumeAttributesClassName:string"},
    {"VolumeResourceRequirements", "limits:{}quantity requests:{}quantity"},

    /* ---- network ---- */
    {"ServiceSpec", "ports:[]ServicePort selector:{}string clusterIP:string clusterIPs:[]string "
                    "type:=ServiceType externalIPs:[]string sessionAffinity:=ServiceAffinity "
                    "loadBalancerIP:string loadBalancerSourceRanges:[]string externalName:string "
                    "externalTrafficPolicy:=ServiceExternalTrafficPolicy healthCheckNodePort:int32 "
                    "publishNotReadyAddresses:bool sessionAffinityConfig:any ipFamilies:[]string "
                    "ipFamilyPolicy:=IPFamilyPolicy allocateLoadBalancerNodePorts:bool "
                    "loadBalancerClass:string internalTrafficPolicy:=ServiceInternalTrafficPolicy "
                    "trafficDistribution:string"},
    {"ServicePort", "name:string protocol:=Protocol appProtocol:string port:int32 "
                    "targetPort:intstr nodePort:int32"},
    {"IngressSpec", "ingressClassName:string defaultBackend:IngressBackend tls:[]IngressTLS "
                    "rules:[]IngressRule"},
    {"IngressTLS", "hosts:[]string secretName:string"},
    {"IngressRule", "host:string http:HTTPIngressRuleValue"},
    {"HTTPIngressRuleValue", "paths:[]HTTPIngressPath"},
    {"HTTPIngressPath", "path:string pathType:=PathType backend:IngressBackend"},
    {"IngressBackend", "service:IngressServiceBackend resource:any"},
    {"IngressServiceBackend", "name:string port:ServiceBackendPort"},
    {"ServiceBackendPort", "name:string number:int32"},

    /* ---- scaling, disruption, definitions ---- */
    {"HorizontalPodAutoscalerSpec",
     "scaleTargetRef:CrossVersionObjectReference minReplicas:int32 maxReplicas:int32 "
     "metrics:[]MetricSpec behavior:any"},
    {"CrossVersionObjectReference", "kind:string name:string apiVersion:string"},
    {"MetricSpec", "type:=MetricSourceType object:any pods:any resource:ResourceMetricSource "
                   "containerResource:any external:any"},
    {"ResourceMetricSource", "name:string target:MetricTarget"},
    {"MetricTarget", "type:=MetricTargetType value:quantity averageValue:quantity "
                     "averageUtilization:int32"},
    {"PodDisruptionBudgetSpec", "minAvailable:intstr selector:LabelSelector "
                                "maxUnavailable:intstr unhealthyPodEvictionPolicy:string"},
    {"CustomResourceDefinitionSpec",
     "group:string names:CustomResourceDefinitionNames scope:=ResourceScope "
     "versions:[]CustomResourceDefinitionVersion conversion:any preserveUnknownFields:bool"},
    {"CustomResourceDefinitionNames", "plural:string singular:string shortNames:[]string "
                                      "kind:string listKind:string categories:[]string"},
    {"CustomResourceDefinitionVersion",
     "name:string served:bool storage:bool deprecated:bool deprecationWarning:string schema:any "
     "subresources:any additionalPrinterColumns:any selectableFields:any"},
};

const char *api_type(const char *name)
{
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        if (strcmp(types[i].name, name) == 0)
            return types[i].fields;
    }
    return NULL;
}

const char *api_field(struct arena *arena, const char *fields, const char *name)
{
    struct str rest = str_of(fields);
    while (rest.len) {
        struct str field = str_cut(&rest, ' '), key = str_cut(&field, ':');
        if (str_is(key, name))
            return arena_str(arena, field);
    }
    return NULL;
}
