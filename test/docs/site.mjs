export function buildSite() {}
