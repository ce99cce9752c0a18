"""The address and credentials of the cluster: the pod's own, or a kubeconfig's."""

from __future__ import annotations

from kubernetes.aio import client, config


class NoCluster(Exception):
    """No cluster was found; the message says what to do."""


async def load_configuration() -> client.Configuration:
    """Return the pod's own credentials, else the kubeconfig's (KUBECONFIG or ~/.kube/config); raises NoCluster."""
    configuration = client.Configuration()
    try:
        config.load_incluster_config(client_configuration=configuration)
    except config.ConfigException:
        try:
            await config.load_kube_config(client_configuration=configuration)
        except (config.ConfigException, OSError) as error:
            where = config.KUBE_CONFIG_DEFAULT_LOCATION
            raise NoCluster(
                f"no cluster found: not in a pod, and the kubeconfig {where} is unusable ({error}); set KUBECONFIG"
            ) from error
    return configuration
