/** Where the Temporal UI shows a workflow of this namespace: the run, where it is known, else the latest. */
export function workflowUrls(uiUrl: string | undefined, namespace: string) {
  return (workflowId: string, runId?: string): string | null => {
    if (uiUrl === undefined) return null;
    const parts = ['namespaces', namespace, 'workflows', workflowId, ...(runId ? [runId, 'history'] : [])];
    return `${uiUrl}/${parts.map(encodeURIComponent).join('/')}`;
  };
}
