/** Results as folders: published whole, kept in a cache by content, with a manifest of what made them, from what, and how. */
@NullMarked
package dev.pollux.artifact;

import org.jspecify.annotations.NullMarked;
