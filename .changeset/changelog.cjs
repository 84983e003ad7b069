// What `changeset version` writes into the changelogs of the packages: the text of each changeset. All packages share one
// version, so a line for each sibling that has a new version would say nothing.
module.exports = {
  getReleaseLine: async ({ summary }) => `- ${summary.trim().replaceAll(/\n(?=.)/g, '\n  ')}`,
  getDependencyReleaseLine: async () => '',
}
