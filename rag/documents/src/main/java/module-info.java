/** Text of PDF, HTML, Office files, e-books and mail. */
module dev.pollux.documents {
    requires transitive dev.pollux.core;
    requires transitive dev.pollux.rag;
    requires static transitive org.jspecify;
    requires java.xml;
    requires org.apache.fontbox;
    requires org.apache.pdfbox;
    requires org.apache.pdfbox.io;
    requires org.jsoup;

    exports dev.pollux.documents;

    provides dev.pollux.rag.source.DocumentReader with
            dev.pollux.documents.internal.InstalledReader;
}
