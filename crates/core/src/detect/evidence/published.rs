//! Software that AWS publishes and that runs under the same name in every account: add-ons of EKS, agents, controllers; and
//! the roles that EMR makes everywhere.
//! Source: Amazon EKS User Guide, available add-ons; the images of CloudWatch, X-Ray and Distro for OpenTelemetry; Amazon
//! EMR Management Guide, default IAM roles.

use crate::detect::text::word_list::WordList;

const NAMES: &[&str] = &[
    "EMR_AutoScaling_DefaultRole",
    "EMR_DefaultRole",
    "EMR_EC2_DefaultRole",
    "adot",
    "amazon-cloudwatch-agent",
    "amazon-cloudwatch-observability",
    "amazon-eks-pod-identity-webhook",
    "aws-cloudwatch-metrics",
    "aws-ebs-csi-driver",
    "aws-efs-csi-driver",
    "aws-for-fluent-bit",
    "aws-fsx-csi-driver",
    "aws-guardduty-agent",
    "aws-load-balancer-controller",
    "aws-mountpoint-s3-csi-driver",
    "aws-network-flow-monitoring-agent",
    "aws-node",
    "aws-node-termination-handler",
    "aws-otel-collector",
    "aws-privateca-issuer",
    "cloudwatch-agent",
    "coredns",
    "ebs-csi-controller",
    "ecs-agent",
    "eks-node-monitoring-agent",
    "eks-pod-identity-agent",
    "kube-proxy",
    "metrics-server",
    "snapshot-controller",
    "vpc-cni",
    "xray-daemon",
];
static PUBLISHED: WordList = WordList::new(NAMES);

pub(in crate::detect) fn is_published(name: &[u8]) -> bool {
    PUBLISHED.contains(name)
}

#[cfg(test)]
mod tests {
    use crate::detect::testing::found;

    #[test]
    fn software_of_aws_is_nobodys() {
        assert!(super::NAMES.is_sorted());
        for name in super::NAMES {
            assert_eq!(found(&format!("aws eks {{\"addons\": [{{\"name\": \"{name}\"}}]}}")), [], "{name}");
        }
        assert_eq!(found("aws eks {\"addonName\": \"vpc-cni\", \"clusterName\": \"acme-cni\"}").len(), 1);
    }
}
