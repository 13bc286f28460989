/** Merging of models: the plan, the preview of its result, and the report on the merge. */
@NullMarked
package dev.pollux.merging;

import org.jspecify.annotations.NullMarked;
