export function countBlocks() {}
