// What relay-compiler compiles; it is never run.
graphql`query deskQuery($first: Int!, $ids: [ID!]) { ...deskPage @arguments(first: $first, ids: $ids) }`;

graphql`
  fragment deskPage on Query
  @refetchable(queryName: "deskPageQuery")
  @argumentDefinitions(first: { type: "Int!" }, after: { type: "String" }, ids: { type: "[ID!]" }) {
    interactions(first: $first, after: $after, filter: { ids: $ids }) @connection(key: "deskPage_interactions") {
      edges { node { id ...deskDetail } }
    }
  }
`;

graphql`fragment deskDetail on Interaction @refetchable(queryName: "deskDetailQuery") { id status notes { text } }`;

graphql`mutation deskNoteMutation($input: AddNoteInput!) { addNote(input: $input) { interaction { ...deskDetail } errors { code } } }`;
