/** Artifacts as folders: atomic publication, a cache keyed by content, and manifests of provenance. */
@NullMarked
package dev.pollux.artifact;

import org.jspecify.annotations.NullMarked;
