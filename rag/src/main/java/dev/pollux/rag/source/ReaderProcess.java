package dev.pollux.rag.source;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.Optional;

/** The child of {@link ReaderIsolation}: reads the files that its standard input names until that ends. */
final class ReaderProcess {

    private ReaderProcess() {}

    /** No arguments. */
    public static void main(String[] arguments) throws IOException {
        OutputStream given = new FileOutputStream(FileDescriptor.out);
        System.setOut(new PrintStream(
                OutputStream.nullOutputStream(), false)); // a library that prints must not disturb the frames
        DataInputStream in = new DataInputStream(new BufferedInputStream(new FileInputStream(FileDescriptor.in)));
        DataOutputStream out = new DataOutputStream(new BufferedOutputStream(given, 1 << 16));
        DocumentReaders readers = DocumentReaders.installed();
        out.writeInt(ReaderFrames.HELLO);
        out.flush();
        try {
            while (true) {
                SourceFile file =
                        new SourceFile(Path.of(ReaderFrames.text(in)), ReaderFrames.text(in), ReaderFrames.text(in));
                read(readers.of(String.valueOf(file.file().getFileName())), file, new ReaderFrames.Writing(out));
                out.writeByte(ReaderFrames.END);
                out.flush();
            }
        } catch (EOFException e) {
            given.close(); // the source has ended
        }
    }

    private static void read(Optional<DocumentReader> reader, SourceFile file, DocumentSink sink) {
        if (reader.isPresent()) {
            HeldDocuments.read(reader.get(), file, sink);
        } else {
            sink.skipped(file.id(), "has no reader on the class path of the process that reads documents");
        }
    }
}
