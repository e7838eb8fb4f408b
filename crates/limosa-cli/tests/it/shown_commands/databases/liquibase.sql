SET check_function_bodies = false;
CREATE TABLE public.databasechangelog (
    id character varying(255) NOT NULL,
    author character varying(255) NOT NULL,
    filename character varying(255) NOT NULL,
    dateexecuted timestamp without time zone NOT NULL,
    orderexecuted integer NOT NULL,
    exectype character varying(10) NOT NULL,
    md5sum character varying(35),
    description character varying(255),
    comments character varying(255),
    tag character varying(255),
    liquibase character varying(20),
    contexts character varying(255),
    labels character varying(255),
    deployment_id character varying(10)
);
CREATE TABLE public.databasechangeloglock (
    id integer NOT NULL,
    locked boolean NOT NULL,
    lockgranted timestamp without time zone,
    lockedby character varying(255)
);
CREATE TABLE public.users (
    id bigint NOT NULL,
    email text NOT NULL
);
INSERT INTO public.databasechangelog VALUES ('create-users', 'ann', 'users.sql', '2026-11-26 12:14:34.605907', 1, 'EXECUTED', '9:3171c3bec2e9e4c673d6a994a6d09ad4', 'sql', 'who buys', NULL, '4.33.0', NULL, NULL, '5695272777');
INSERT INTO public.databasechangelog VALUES ('index-users', 'ann', 'users.sql', '2026-11-26 12:14:34.628689', 2, 'EXECUTED', '9:70879e55dfec6f3acb3c15021abf26d4', 'sql', '', NULL, '4.33.0', NULL, NULL, '5695272777');
INSERT INTO public.databasechangeloglock VALUES (1, false, NULL, NULL);
ALTER TABLE ONLY public.databasechangeloglock
    ADD CONSTRAINT databasechangeloglock_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.users
    ADD CONSTRAINT users_pkey PRIMARY KEY (id);
CREATE INDEX users_email ON public.users USING btree (email);
