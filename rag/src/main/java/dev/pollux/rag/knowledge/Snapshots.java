package dev.pollux.rag.knowledge;

import java.io.IOException;
import org.apache.lucene.index.DirectoryReader;
import org.apache.lucene.search.ReferenceManager;
import org.apache.lucene.store.Directory;
import org.jspecify.annotations.Nullable;

/** The newest snapshot, kept open while anyone reads it. */
final class Snapshots extends ReferenceManager<Snapshot> {

    private final IndexSettings settings;

    Snapshots(Directory directory, IndexSettings settings) throws IOException {
        this.settings = settings;
        this.current = snapshot(DirectoryReader.open(directory), null);
    }

    @Override
    protected void decRef(Snapshot snapshot) throws IOException {
        snapshot.reader().decRef();
    }

    @Override
    protected @Nullable Snapshot refreshIfNeeded(Snapshot old) throws IOException {
        DirectoryReader changed = DirectoryReader.openIfChanged(old.reader());
        return changed == null ? null : snapshot(changed, old);
    }

    @Override
    protected boolean tryIncRef(Snapshot snapshot) {
        return snapshot.reader().tryIncRef();
    }

    @Override
    protected int getRefCount(Snapshot snapshot) {
        return snapshot.reader().getRefCount();
    }

    private Snapshot snapshot(DirectoryReader reader, @Nullable Snapshot before) throws IOException {
        try {
            return new Snapshot(reader, settings, before);
        } catch (IOException | RuntimeException | Error e) {
            reader.close();
            throw e;
        }
    }
}
