SET check_function_bodies = false;
CREATE TABLE public.schema_migrations (
    version character varying(255) NOT NULL,
    name character varying(255) NOT NULL,
    checksum character varying(64) NOT NULL,
    applied_at timestamp with time zone DEFAULT now() NOT NULL,
    rollback_sql text,
    metadata jsonb DEFAULT '{}'::jsonb,
    created_at timestamp with time zone DEFAULT now()
);
CREATE TABLE public.warehouses (
    id bigint NOT NULL,
    name character varying(200) NOT NULL
);
CREATE TABLE public.shelves (
    id bigint NOT NULL,
    warehouse_id bigint NOT NULL
);
INSERT INTO public.schema_migrations VALUES
    ('001', 'Warehouses', '61dfc8412950eb44f654a669ef8455ff22a9a32ba60eb7884ef3fd5eb70ef807', '2024-01-01 10:00:00+00', NULL, '{"applied_by": "app"}', '2024-01-01 10:00:00+00'),
    ('002', 'Shelves', 'e335cc8ee1f4000e79d268c0bf54ca66e1d80efe65be5075dd39e230aa3475a0', '2024-01-02 10:00:00+00', 'DROP TABLE shelves;', '{"applied_by": "app"}', '2024-01-02 10:00:00+00');
ALTER TABLE ONLY public.schema_migrations
    ADD CONSTRAINT schema_migrations_pkey PRIMARY KEY (version);
ALTER TABLE ONLY public.warehouses
    ADD CONSTRAINT warehouses_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shelves
    ADD CONSTRAINT shelves_pkey PRIMARY KEY (id);
ALTER TABLE ONLY public.shelves
    ADD CONSTRAINT shelves_warehouse_id_fkey FOREIGN KEY (warehouse_id) REFERENCES public.warehouses(id);
