import type { Services } from "../services";
import type { MoreNode } from "../tree/treeModel";

/** Draws the next rows of a list that is longer than a page. */
export async function showMore({ tree }: Services, more: MoreNode): Promise<void> {
  tree.showMore(more.below);
}
